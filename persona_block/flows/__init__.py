"""Durable workflows: operations, people and storage as steps that survive a crash, a deploy and a week of waiting."""
