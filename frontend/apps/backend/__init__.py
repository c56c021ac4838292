"""The client of the backend's API: the only code in this service that speaks HTTP to another one."""
