"""Smaller forms of a picture, for screens that need no larger ones.

A job, put into the queue with the picture; done twice, it finds that all is there. No lock: each
form is written whole, under a name that says what is in it.
"""

import asyncio

from packhouse.foundation.jobs import MakePictureForms
from packhouse.house import House
from packhouse.plumbing.picture_forms import FORM_MAKER, make_forms


async def make_picture_forms(house: House, job: MakePictureForms) -> None:
    """Make what is missing. Raises ``NotFound``, ``MediaUnavailable``."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(FORM_MAKER, make_forms, house.media, job.picture)
