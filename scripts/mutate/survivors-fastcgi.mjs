const SPEED = 'The short way of a common case: what it leaves out comes to the same.';
const MEMORY = 'It gives memory back, or takes no more of it than is needed: nothing else tells.';
const NOT_COME = 'What has not come is undefined, which no byte of a head is.';
const EMPTY_RECORD = 'A record without content is done with as soon as it is open.';

/** Of packages/fastcgi: see `explanations`. */
export const fastcgi = {
  'client-connection.ts': [
    {
      from: '[]',
      to: '["Stryker was here"]',
      in: '#turns',
      why: 'What has nothing to send is passed over in its turn.',
    },
    { from: '!this.#poisoned', to: 'true', in: 'this.#record.receive(chunk)', why: MEMORY },
    { from: 'record.left < 0', to: 'record.left <= 0', why: EMPTY_RECORD },
    { from: 'left <= 0', to: 'left < 0', why: EMPTY_RECORD },
    { from: 'true', to: 'false', in: 'return true;', why: 'There is an event, which ends the loop as well.' },
    {
      from: 'this.#requests.values().every(…',
      to: 'this.#requests.values().some(request => request.aborted || this.#hasRoom(request))',
      why: 'There is one.',
    },
  ],
  'client-params.ts': [
    { from: 'i < variables.length', to: 'i <= variables.length', why: 'Behind the last pair stands no name.' },
  ],
  'client-values.ts': [
    { from: "'latin1'", to: '""', why: 'The names that are asked for are ASCII, and so are the lengths.' },
  ],
  'head.ts': [
    { from: 'record.left < 0', to: 'record.left <= 0', why: EMPTY_RECORD },
    {
      from: 'record.left > 0 || !record.emptyFollows(RecordType.PARAMS, state.id)',
      to: 'true',
      why: 'The lengths of whole PARAMS are looked at once more, with the pairs.',
    },
    {
      from: 'record.left > 0',
      to: 'false',
      why: 'Of a record that is not whole the lengths are looked at with the next piece.',
    },
    { from: 'record.left > 0', to: 'record.left >= 0', why: EMPTY_RECORD },
    {
      from: 'record.left > 0',
      to: 'record.left <= 0',
      why: 'The lengths are looked at with another piece, and once more with the pairs.',
    },
  ],
  'record-reader.ts': [
    { from: 'skip > 0', to: 'true', why: SPEED },
    { from: 'skip > 0', to: 'skip >= 0', why: SPEED },
    { from: 'front === undefined', to: 'true', why: SPEED },
    { from: '!this.emptyFollows(type, id)', to: 'true', why: SPEED },
  ],
  'records.ts': [
    { from: 'id >= MOST_ENDS', to: 'id > MOST_ENDS', why: MEMORY },
    { from: 'id >= MOST_ENDS', to: 'id < MOST_ENDS', why: MEMORY },
    { from: 'id >= MOST_ENDS', to: 'true', why: SPEED },
  ],
  'reply-output.ts': [
    { from: 'bytes <= FUSE', to: 'bytes < FUSE', why: SPEED },
    {
      from: 'first <= 0',
      to: 'first < 0',
      why: 'A head that just fills a record is one, and the body the next, either way.',
    },
    { from: "'utf8'", to: '""', why: 'UTF-8 is what a text is written in without an encoding.' },
  ],
  'request-state.ts': [
    { from: 'length < 0', to: 'length <= 0', why: 'An empty file is done, whatever may still come of it.' },
    { from: 'false', to: 'true', in: 'bodyDone = false', why: 'It is set with the head, and not looked at before.' },
    { from: "'open'", to: '""', why: 'It is compared with the two other values.' },
    { from: '(this.#view.length + piece.length) * 2', to: '(this.#view.length + piece.length) / 2', why: MEMORY },
    { from: 'piece.length * 2', to: 'piece.length / 2', why: MEMORY },
    { from: "'responder'", to: '""', why: 'It stands for every role but that of a filter.' },
  ],
  'requests.ts': [
    { from: "'responder'", to: '""', in: 'new RequestState', why: 'It stands for a role that there is not.' },
    { from: "state.reply !== 'tunnel'", to: 'false', why: MEMORY },
    { from: 'this.#ids.size > 0', to: 'true', why: SPEED },
    { from: 'this.#ids.size > 0', to: 'this.#ids.size >= 0', why: SPEED },
  ],
  'server-connection.ts': [
    { from: 'record.left < 0', to: 'record.left <= 0', why: EMPTY_RECORD },
    { from: 'left < 0', to: 'left <= 0', why: EMPTY_RECORD },
    {
      from: "ended && state.receive === 'body' && this.#record.takeEmpty(RecordType.STDIN, state.id)",
      to: 'false',
      why: SPEED,
    },
    { from: "'body'", to: '""', in: 'takeEmpty', why: SPEED },
    { from: 'piece.length > state.left', to: 'true', why: SPEED },
    { from: 'piece.length > state.left', to: 'piece.length >= state.left', why: SPEED },
  ],
  'whole-head.ts': [
    { from: 'PARAMS_AT + 1 + HEADER_LENGTH', to: 'PARAMS_AT + 1 - HEADER_LENGTH', why: NOT_COME },
    { from: 'PARAMS_AT + 1', to: 'PARAMS_AT - 1', why: NOT_COME },
  ],
};
