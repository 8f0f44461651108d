"""What a shop of so many people needs: machines, services, money, and what gives out next. Pure.

``packhouse plan`` reckons from what ``packhouse bench users`` measured on one machine, from a price
file that an owner may edit, and from the assumptions that it prints with every answer.
"""

from packhouse.plan.capacity import Capacity, Crowd, capacity_of, read_bench
from packhouse.plan.model import Bottleneck, Cost, CostLine, Machine, Phase, Plan
from packhouse.plan.phases import draft_plan
from packhouse.plan.prices import InvalidPrices, Prices, read_prices

__all__ = [
    "Bottleneck",
    "Capacity",
    "Cost",
    "CostLine",
    "Crowd",
    "InvalidPrices",
    "Machine",
    "Phase",
    "Plan",
    "Prices",
    "capacity_of",
    "draft_plan",
    "read_bench",
    "read_prices",
]
