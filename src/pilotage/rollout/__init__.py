"""Stages, arms, acceptance, guardrails, gates: may it advance?"""
