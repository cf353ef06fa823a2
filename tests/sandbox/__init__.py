"""Tests of the offline Persona."""
