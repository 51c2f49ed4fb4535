"""Outbound HTTP/1.1: a pool of our own on httptools and the loop's protocols, and the guarded fetch of users' URLs."""
