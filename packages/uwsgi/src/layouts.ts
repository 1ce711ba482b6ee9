import { layout } from '@postern/wire';

const SOURCE = 'The uwsgi protocol';

/** The block of variables follows. */
export const packetHeader = layout('uwsgi_packet_header', SOURCE, [
  { name: 'modifier1', type: 'uint8', text: '0: the variables of a request' },
  { name: 'datasize', type: 'uint16le', text: 'bytes of the block behind the header' },
  { name: 'modifier2', type: 'uint8', text: '0' },
]);

/** A name or a value; its bytes follow. */
export const itemHeader = layout('uwsgi_item', SOURCE, [
  { name: 'size', type: 'uint16le', text: 'bytes of the name or value; a name has at least one' },
]);
