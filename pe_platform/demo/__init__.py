"""The main job, once, in front of whoever typed `make run`.

Everything here goes through the services and the HTTP API that staff and programs use,
as four people with the roles they would have. Each step looks first whether it has been
done, so that a second run, or a run after a killed one, goes on where things stand.
"""
