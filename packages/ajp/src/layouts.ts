import { layout } from '@postern/wire';

const SOURCE = 'Tomcat, AJPv13';

export const packetHeader = layout('AjpPacket', SOURCE, [
  { name: 'magic', type: 'uint16be', text: '0x1234 towards the application, 0x4142 towards the web server' },
  { name: 'length', type: 'uint16be', text: 'bytes of the payload behind the header' },
]);

/** The payload of a packet with body bytes of a request; the bytes follow. */
export const requestBody = layout('AjpRequestBody', SOURCE, [
  { name: 'length', type: 'uint16be', text: 'bytes of body that follow; 0: the end of the body' },
]);

/** A string; its bytes and a NUL follow. */
export const stringHeader = layout('AjpString', SOURCE, [
  { name: 'length', type: 'uint16be', text: 'bytes without the NUL; 0xFFFF: null, nothing follows' },
]);

/** The rest is strings, integers, headers and attributes in a fixed order. */
export const forwardRequest = layout('AJP13_FORWARD_REQUEST', SOURCE, [
  { name: 'type', type: 'uint8', text: '2' },
  { name: 'method', type: 'uint8', text: 'method code; 255: in the attribute stored_method' },
]);

/** The reason, the number of headers and the headers follow. */
export const sendHeaders = layout('AJP13_SEND_HEADERS', SOURCE, [
  { name: 'type', type: 'uint8', text: '4' },
  { name: 'status', type: 'uint16be', text: 'HTTP status' },
]);

/** The bytes and a NUL follow. */
export const sendBodyChunk = layout('AJP13_SEND_BODY_CHUNK', SOURCE, [
  { name: 'type', type: 'uint8', text: '3' },
  { name: 'length', type: 'uint16be', text: 'bytes of body that follow; 0: flush' },
]);

export const endResponse = layout('AJP13_END_RESPONSE', SOURCE, [
  { name: 'type', type: 'uint8', text: '5' },
  { name: 'reuse', type: 'uint8', text: '1: the connection takes a further request; 0: it closes' },
]);

export const getBodyChunk = layout('AJP13_GET_BODY_CHUNK', SOURCE, [
  { name: 'type', type: 'uint8', text: '6' },
  { name: 'length', type: 'uint16be', text: 'most bytes of body that are asked for' },
]);
