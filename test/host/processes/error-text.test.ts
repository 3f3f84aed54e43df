import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findError } from '../../../src/host/processes/error-text.ts';

const frames = Array.from({ length: 10 }, (_, index) => `    at step${index} (/srv/shop/lib/start.js:${index}:9)`);

// What a process wrote, and the title of the error in it.
const WRITTEN: Readonly<Record<string, readonly [text: string, title: string | null, place?: string]>> = {
  'an uncaught error, as Node prints it': [
    `/srv/shop/server.js:3\nthrow new Error('no licence');\n^\n\nError: no licence\n${frames.join('\n')}\n\nNode.js v20.20.2`,
    'Error: no licence',
    '/srv/shop/server.js:3'
  ],
  'a syntax error of a module': [
    'file:///srv/shop/server.mjs:7\nconst a = ;\n          ^\n\nSyntaxError: Unexpected token\n    at x (node:internal:1:1)',
    'SyntaxError: Unexpected token',
    '/srv/shop/server.mjs:7'
  ],
  'an error with a code among its properties': [
    `Error: cannot reach the database\n${frames.join('\n')} {\n  errno: -111,\n  code: 'ECONNREFUSED',\n  port: 5432\n}`,
    'Error: cannot reach the database (ECONNREFUSED)'
  ],
  'an error whose title has its code already': [
    `Error [ERR_INVALID_URL]: Invalid URL\n${frames.join('\n')} {\n  code: 'ERR_INVALID_URL'\n}`,
    'Error [ERR_INVALID_URL]: Invalid URL'
  ],
  'an error with a cause': [
    `Error: DATABASE_URL is not set\n${frames.join('\n')} {\n  [cause]: Error: no .env file\n      at a (/x.js:1:1)\n}`,
    'Error: DATABASE_URL is not set, caused by Error: no .env file'
  ],
  'several errors in one': [
    "AggregateError [ECONNREFUSED]: \n    at internalConnectMultiple (node:net:1:1) {\n  code: 'ECONNREFUSED',\n  [errors]: [\n    Error: connect ECONNREFUSED ::1:5432\n        at a (node:net:1:1),\n    Error: connect ECONNREFUSED 127.0.0.1:5432\n        at a (node:net:1:1)\n  ]\n}",
    'AggregateError [ECONNREFUSED], caused by Error: connect ECONNREFUSED ::1:5432; Error: connect ECONNREFUSED 127.0.0.1:5432'
  ],
  'a message of several lines': [
    `PrismaClientInitializationError: \nInvalid \`prisma.user.findMany()\` invocation:\nCan't reach database server\n${frames.join('\n')}`,
    "PrismaClientInitializationError: Invalid `prisma.user.findMany()` invocation: Can't reach database server"
  ],
  'an error after words of the app': [
    `cannot start: TypeError: x is not a function\n${frames.join('\n')}\nbye`,
    'cannot start: TypeError: x is not a function'
  ],
  'the last of several': [
    `Error: the first, which was survived\n${frames.join('\n')}\ntrying again\nError: the last\n${frames.join('\n')}`,
    'Error: the last'
  ],
  'an error without a stack': ['loading\n[Error: no licence]\n', '[Error: no licence]'],
  'an error in colours': ['\u001b[31mError: red\u001b[39m\n    at a (/x.js:1:1)', 'Error: red'],
  'no memory left': [
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n----- Native stack trace -----\n 1: 0xb8ced0 node::OOMErrorHandler [node]',
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'
  ],
  'an option that Node does not know': ['node: bad option: --nope', 'node: bad option: --nope'],
  'a line of pino': [
    '{"level":30,"msg":"booting"}\n{"level":60,"err":{"type":"MongoError","message":"no primary"},"msg":"cannot start"}',
    'cannot start: MongoError: no primary'
  ],
  'a line of winston': ['{"level":"error","message":"no licence","stack":"Error: no licence"}', 'no licence'],
  'JSON that is no error': ['{"level":30,"msg":"booting"}', null],
  'a warning': ['(node:1) [DEP0040] DeprecationWarning: The `punycode` module is deprecated.', null],
  'what only speaks of errors': ['0 errors, 2 warnings', null],
  nothing: ['', null]
};

for (const [name, [text, title, place = null]] of Object.entries(WRITTEN)) {
  test(`the error is found in what a process wrote: ${name}`, () => {
    const found = findError(text.split('\n').filter((line) => line.trim() !== ''));

    assert.equal(found?.title ?? null, title);
    assert.equal(found?.place ?? null, place);
  });
}
