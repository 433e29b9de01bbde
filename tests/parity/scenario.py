"""The list of scenarios. One is a function of a Side: it makes calls, and what they answer is compared.

A name is also the prefix of everything that a scenario starts, so that all of them share a server.
"""

import collections.abc

SCENARIOS: dict[str, collections.abc.Callable] = {}


def scenario(function):
    SCENARIOS[function.__name__.replace("_", "-")] = function
    return function
