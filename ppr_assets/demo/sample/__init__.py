"""A database that looks like the real one, made of nothing but a seed and a size.

For the demo, the tests and the benchmarks: the core tables of HSDS 3.1 with keys, indexes,
an enum, a view, a trigger and a sequence, filled with food pantries that do not exist. The same
seed gives the same rows with the same version of Faker, which is a dependency of the installed
program because ``ppr-assets demo`` fills such a database on the newcomer's own machine.

    schema.sql, keys.sql   the tables before, and what is added after their rows
    private.sql            tables that are about people
    tables                 the columns that are filled, table by table
    draw                   chance: everything random comes from one seeded source
    vocabulary             names and places from Faker, phrases of food pantries, and texts that a
                           dump must carry unharmed
    organizations, places, services, history   the rows, one organization after the other
    private                what is about people, and in no dump
    filling                putting them into an empty database
"""

from ppr_assets.demo.sample.filling import fill
from ppr_assets.demo.sample.tables import SAMPLE_TABLES

__all__ = ["SAMPLE_TABLES", "fill"]
