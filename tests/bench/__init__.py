"""Benches: `./taskw bench -- p3 p7`. Not tests: what counts is a figure's ratio to a reference of the same run."""
