"""Functions that tests run in processes of a live site: see `Production.run`.

Arguments and values are what JSON has. The modules import Django's models, so only tests may import them.
"""
