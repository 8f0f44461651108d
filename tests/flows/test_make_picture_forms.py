"""An uploaded picture gets its smaller forms from a job, once, and pages show them."""

import io

import pytest
from PIL import Image

from packhouse.flows.make_picture_forms import make_picture_forms
from packhouse.foundation.errors import NotFound
from packhouse.foundation.jobs import MakePictureForms
from packhouse.house import House
from packhouse.plumbing.picture_forms import form_names, store_picture


def wrapper() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (500, 760), (20, 60, 160)).save(file, "PNG")
    return file.getvalue()


async def test_the_job_makes_every_form_and_twice_is_as_good_as_once(house: House) -> None:
    key = store_picture(house.media, wrapper())
    for _ in range(2):
        await make_picture_forms(house, MakePictureForms(key))
        assert all(house.media.has(name) for name, _, _ in form_names(key))


async def test_a_picture_that_is_not_there_is_refused(house: House) -> None:
    with pytest.raises(NotFound):
        await make_picture_forms(house, MakePictureForms(f"ab/cd/abcd{'0' * 60}.webp"))
