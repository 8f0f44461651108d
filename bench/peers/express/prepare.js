// Before the peer starts: the sessions of the bench's collectors in the form of connect-pg-simple.
//
// Standard input has a line of JSON for each of them; standard output gets the cookie of each.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { sign } from 'cookie-signature';

import { pool } from './database.js';
import { settings } from './settings.js';

const DAY_MS = 86_400_000;
const ROWS_MAX = 1_000;

const collectors = readFileSync(0, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const { rows } = await pool.query(`SELECT to_regclass('session') IS NOT NULL AS is_made`);
if (!rows[0].is_made) {
  const table = createRequire(import.meta.url).resolve('connect-pg-simple/table.sql');
  await pool.query(readFileSync(table, 'utf8'));
}
const expires = new Date(Date.now() + DAY_MS);
const cookie = { originalMaxAge: DAY_MS, expires, httpOnly: true, path: '/' };
for (let at = 0; at < collectors.length; at += ROWS_MAX) {
  const some = collectors.slice(at, at + ROWS_MAX);
  await pool.query(
    `INSERT INTO session (sid, sess, expire)
     SELECT s.sid, s.sess, $3 FROM unnest($1::text[], $2::json[]) AS s (sid, sess)
     ON CONFLICT DO NOTHING`,
    [
      some.map(({ token }) => token),
      some.map(({ user_id: userId }) => JSON.stringify({ cookie, userId })),
      expires,
    ],
  );
}
await pool.query('ANALYZE session');
await pool.end();
const cookies = collectors.map(({ token }) => {
  const signed = encodeURIComponent(`s:${sign(token, settings.sessionSecret)}`);
  return `packhouse_session=${signed}\n`;
});
process.stdout.write(cookies.join(''));
