"""Look into published dumps without a server: ask them in SQL, follow a record through the nights,
take them along as other files. Nothing here writes to the data repository, its clone or a database.
"""
