// A chat: what one page says, all of them show. It needs the package ws: npm install ws
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const page = `<!doctype html>
<meta charset="utf-8">
<title>Chat</title>
<ul id="said"></ul>
<form><input name="text" autocomplete="off" autofocus><button>Say</button></form>
<script>
  const socket = new WebSocket(location.href.replace(/^http/, 'ws'));
  const { form, said } = { form: document.querySelector('form'), said: document.querySelector('#said') };
  socket.onmessage = ({ data }) => said.append(Object.assign(document.createElement('li'), { textContent: data }));
  socket.onclose = () => said.append(Object.assign(document.createElement('li'), { textContent: 'the chat is over' }));
  form.onsubmit = (event) => {
    event.preventDefault();
    socket.send(form.text.value);
    form.reset();
  };
</script>
`;

// it does not listen: postern does, and hands over what 'request' and 'upgrade' are for
const server = createServer((_req, res) => res.writeHead(200, { 'Content-Type': 'text/html' }).end(page));
const sockets = new WebSocketServer({ server, maxPayload: 65_536 });

sockets.on('connection', (client) => {
  client.on('message', (text) => {
    for (const each of sockets.clients) each.send(String(text));
  });
  client.on('error', () => client.terminate());
});

export default server;
