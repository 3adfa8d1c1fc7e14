"""Brings a project of ORCH over: its folder is read, planned as files of the state branch, and written at once."""
