"""The dispatch office: departures from New York, the aircraft that fly them, and what planners prepare."""
