"""The bench: measures the shop against PostgreSQL's own limit, nginx and peers, in one run.

It starts (or is given) real servers with durable commits, fills them with collectors, drives the
shop over HTTP from processes of its own, and lets contenders take turns, so that what counts are
ratios within one run and not the numbers of one machine.

It has many doors, because the programs that send load are started again for each turn and must
begin at once: ``run`` (a run), ``scenarios`` (what is measured), ``model`` and ``results`` (what
comes out), ``report`` (the page).
"""
