"""The tests of durable workflows."""
