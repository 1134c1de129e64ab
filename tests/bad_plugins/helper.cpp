// A library of a plugin's own.
int helper_version();
int helper_version() { return HELPER; }
