// The connection pool of this process.

import pg from 'pg';

import { settings } from './settings.js';

// bigint: sequences, nonces and minor units stay below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

export const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: settings.connections });

const ATTEMPTS_MAX = 5;
const RACED = new Set(['23505', '40001', '40P01']);

/** Run a function in a transaction of its own; tried again when PostgreSQL says that it raced. */
export async function inTransaction(work) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(work);
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !RACED.has(error.code)) throw error;
    }
  }
}

async function once(work) {
  const client = await pool.connect();
  let broken;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((lost) => (broken = lost));
    throw error;
  } finally {
    client.release(broken);
  }
}
