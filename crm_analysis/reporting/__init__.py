"""From a suite file to published reports: parameters, runs, exports, the index page."""
