"""Keys at rest: the key-encryption key, and one data key a subject.

A data key is stored only wrapped; the key that wraps it comes from the environment, a
file or a key-management service, and is never in the database nor in a backup of it.
"""
