"""Sources, snapshots, contracts, the feature layer, training sets."""
