"""What the bench tells a peer, by environment."""

import base64
import os

PORT = int(os.environ["PORT"])
WORKERS = int(os.environ["WORKERS"])
CONNECTIONS = max(1, int(os.environ["POOL_SIZE"]) // WORKERS)
DATABASE_URL = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1)
SEED_KEY = base64.b64decode(os.environ["SEED_KEY"])
REQUESTS_PER_MINUTE = 99_999_999
