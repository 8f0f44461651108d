import httpx
import time
from packhouse.plumbing.audit import Actor
async def test_x(shop: Actor, ada: httpx.AsyncClient) -> None:
    for u in ("/api/v1/openings","/api/v1/openings/xx","/api/v1/openings?limit=0","/api/v1/openings?limit=x","/api/v1/openings?cursor=%00","/api/v1/nothing","/api/v1/openapi.json", "/api/v1", "/api/v1/"):
        a = await ada.get(u); print(u,a.status_code, a.headers, a.text[:800])
    for b in (b'{"quantity":"1"}', b'', b'[]', b'{"quantity":1,"z":2}', b'{"client_seed":"\\u0000"}', b'{"client_seed":"\\udc00a"}'):
        a = await ada.post("/api/v1/packs/veil-one/openings", content=b, headers={"Idempotency-Key":"k"}); print(b[:30],a.status_code, a.text[:500])
    assert 0
