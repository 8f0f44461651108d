// The Express peer: as many processes as the shop has, the connections shared among them.

import cluster from 'node:cluster';

import { makeApp } from './app.js';
import { settings } from './settings.js';

function superviseWorkers() {
  let isStopping = false;
  const stop = () => {
    isStopping = true;
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
  };
  process.on('SIGTERM', stop);
  // Whoever started us holds the other end: when they are gone, so are we.
  process.stdin.on('end', stop).resume();
  cluster.on('exit', () => {
    if (!isStopping) cluster.fork();
    else if (Object.keys(cluster.workers).length === 0) process.exit(0);
  });
  for (let number = 0; number < settings.workers; number += 1) cluster.fork();
}

function serve() {
  const server = makeApp().listen(settings.port, '127.0.0.1');
  // Longer than the load pauses, so that connections stay.
  server.keepAliveTimeout = 75_000;
  process.on('SIGTERM', () => process.exit(0));
}

if (cluster.isPrimary) superviseWorkers();
else serve();
