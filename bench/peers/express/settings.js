// What the bench tells a peer, by environment.

const environment = process.env;

export const settings = {
  port: Number(environment.PORT),
  workers: Number(environment.WORKERS),
  databaseUrl: environment.DATABASE_URL,
  connections: Math.max(1, Math.floor(Number(environment.POOL_SIZE) / Number(environment.WORKERS))),
  seedKey: Buffer.from(environment.SEED_KEY, 'base64'),
  sessionSecret: environment.SESSION_SECRET,
  requestsPerMinute: 99_999_999,
};
