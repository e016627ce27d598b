"""Training, export and measurement of the models that the daemon runs.

Modules are run in the folder `models/`: `python -m signd_models.train.fit ...`. `DATA.md` there
says what the folders DATA, PEERS and WORK hold.
"""
