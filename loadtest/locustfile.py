"""The shop's mix for Locust: ``make loadtest``, or Locust's own page with ``locust -f loadtest/locustfile.py``.

Each user makes an account, buys credits from the demo payment provider and goes on as a collector does. Requests of
one machine would all count against one address's limits, so each user says an address of its own (198.18.0.0/15,
which RFC 2544 sets aside for tests): the shop believes it where PACKHOUSE_TRUSTED_PROXIES names this machine. Point it at a shop
for tests: it opens packs and sells cards.
"""

import json
import os
import random
import secrets
import time
from collections import Counter
from pathlib import Path

from locust import FastHttpUser, between, events, task
from locust.stats import calculate_response_time_percentile
from mix import EIGHT, PER_MILLE, SINGLE
from thresholds import failures_of, result_of

ADDRESS = {
    "name": "Load Test",
    "line1": "1 Quay Street",
    "city": "Portland",
    "region": "OR",
    "postal_code": "97201",
    "country": "US",
}
CREDITS_MINOR = 1_000_000


class Collector(FastHttpUser):
    """One person, who thinks about ten seconds between two acts."""

    wait_time = between(0.5 * 10, 1.5 * 10)

    def on_start(self) -> None:
        """Make an account with credits; whoever gets none goes home."""
        packs = os.environ.get("PACKHOUSE_LOADTEST_PACKS", f"{SINGLE},{EIGHT}")
        self.single, _, self.eight = packs.partition(",")
        number = secrets.token_hex(6)
        self.about = {
            "X-Forwarded-For": f"198.{18 + random.randrange(2)}.{random.randrange(256)}.{random.randrange(1, 255)}"
        }
        self.cards: list[str] = []
        self.parcels: list[str] = []
        made = self._post(
            "/api/v1/accounts",
            {
                "email": f"load-{number}@example.com",
                "username": f"load-{number}",
                "password": f"load-test-{number}",
                "birth_date": "1990-01-01",
            },
            name="sign up",
            key=False,
        )
        bought = self._post("/api/v1/wallet/top-ups", {"amount": CREDITS_MINOR}, name="buy credits")
        if made.status_code != 201 or bought.status_code != 201:
            self.stop()

    @task
    def act(self) -> None:
        """One act of the mix."""
        name = random.choices(list(PER_MILLE), weights=list(PER_MILLE.values()))[0]
        slug = self.eight if name == "GET /api/v1/packs/{slug}" else self.single
        if name == "GET /api/v1/vault":
            found = self._get("/api/v1/vault?state=vaulted", name)
            if found.status_code == 200:
                self.cards = [card["id"] for card in found.json()["items"]]
        elif name.startswith("GET /api/v1/shipping-quotes"):
            if self.cards:
                self._get(f"/api/v1/shipping-quotes?country=US&user_card_ids={self.cards[0]}", name)
        elif name.startswith("GET "):
            self._get(name[4:].replace("{slug}", slug), name)
        elif name.startswith("POST openings"):
            slug = self.single if "one" in name else self.eight
            opened = self._post(f"/api/v1/packs/{slug}/openings", {"quantity": 1}, name=name)
            if opened.status_code == 201:
                self.cards += [card["user_card_id"] for each in opened.json()["openings"] for card in each["cards"]]
        elif name == "POST /api/v1/vault/sales":
            if self.cards:
                self._post("/api/v1/vault/sales", {"user_card_ids": [self.cards.pop()]}, name=name)
        elif name == "POST /api/v1/shipping-requests":
            if self.cards:
                self._ship(name)
        elif self.parcels:
            self._post(f"/api/v1/shipping-requests/{self.parcels.pop()}/cancellation", {}, name=name)

    def _ship(self, name: str) -> None:
        body = {"user_card_ids": [self.cards.pop()], "address": ADDRESS}
        # A digital card, or one that is paid out, cannot be sent: that is an answer, not a failure.
        sent = self._post("/api/v1/shipping-requests", body, name=name, also=(409,))
        if sent.status_code == 201:
            self.parcels.append(sent.json()["id"])

    def _get(self, path: str, name: str):
        with self.client.get(path, name=name, headers=self.about, catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure(f"answered {answer.status_code or answer.error}")
            return answer

    def _post(self, path: str, body: dict, *, name: str, key: bool = True, also: tuple[int, ...] = ()):
        headers = {**self.about, **({"Idempotency-Key": secrets.token_hex(16)} if key else {})}
        with self.client.post(path, json=body, name=name, headers=headers, catch_response=True) as answer:
            if answer.status_code not in (200, 201, *also):
                answer.failure(f"answered {answer.status_code or answer.error}")
            else:
                answer.success()
            return answer


@events.quitting.add_listener
def leave_result(environment, **_: object) -> None:
    """Write the result for ``packhouse readiness``, and fail the run where it missed its thresholds."""
    # Coming in is not the mix: a sign-up hashes a password, which has to be slow.
    acts = [entry for (name, _), entry in environment.stats.entries.items() if name in PER_MILLE]
    times: Counter[float] = Counter()
    for entry in acts:
        times.update(entry.response_times)
    requests = sum(entry.num_requests for entry in acts)
    p95, p99 = (
        calculate_response_time_percentile(times, requests, share) if requests else 0.0 for share in (0.95, 0.99)
    )
    result = result_of(
        users=environment.parsed_options.num_users or 1,
        requests=requests,
        failures=environment.stats.total.num_failures,
        p95_ms=float(p95),
        p99_ms=float(p99),
    )
    folder = os.environ.get("PACKHOUSE_LOADTEST_RESULTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        path = Path(folder) / f"locust-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.json"
        path.write_text(json.dumps(result, indent=2))
        print(f"The result is in {path}.")
    for sentence in failures_of(result):
        print(f"FAILED: {sentence}")
        environment.process_exit_code = 1
