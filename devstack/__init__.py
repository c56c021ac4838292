"""The whole product on one machine: embedded servers, a supervisor and stand-ins for the outside world."""
