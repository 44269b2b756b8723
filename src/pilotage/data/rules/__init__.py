"""Pure decisions about data: which columns are needed, which segments are merged, what SQL makes the columns."""
