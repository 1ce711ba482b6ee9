import { layout } from '@postern/wire';

/** §3.3 */
export const recordHeader = layout('FCGI_Header', 'FastCGI 1.0 §3.3', [
  { name: 'version', type: 'uint8', text: '1' },
  { name: 'type', type: 'uint8', text: 'record type' },
  { name: 'requestId', type: 'uint16be', text: '0: a management record' },
  { name: 'contentLength', type: 'uint16be', text: 'bytes of content behind the header' },
  { name: 'paddingLength', type: 'uint8', text: 'bytes behind the content, to be ignored' },
  { name: 'reserved', type: 'uint8', text: '0' },
]);

/** §5.1 */
export const beginRequest = layout('FCGI_BeginRequestBody', 'FastCGI 1.0 §5.1', [
  { name: 'role', type: 'uint16be', text: '1 Responder, 2 Authorizer, 3 Filter' },
  { name: 'flags', type: 'uint8', text: 'bit 0: keep the connection' },
  { name: 'reserved', type: 'bytes', length: 5, text: '0' },
]);

/** §5.5 */
export const endRequest = layout('FCGI_EndRequestBody', 'FastCGI 1.0 §5.5', [
  { name: 'appStatus', type: 'uint32be', text: 'exit status of the application' },
  { name: 'protocolStatus', type: 'uint8', text: '0 complete, 1 cannot multiplex, 2 overloaded, 3 unknown role' },
  { name: 'reserved', type: 'bytes', length: 3, text: '0' },
]);

/** §4.2 */
export const unknownType = layout('FCGI_UnknownTypeBody', 'FastCGI 1.0 §4.2', [
  { name: 'type', type: 'uint8', text: 'the type that was not understood' },
  { name: 'reserved', type: 'bytes', length: 7, text: '0' },
]);
