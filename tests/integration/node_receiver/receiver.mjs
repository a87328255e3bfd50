// Receives webhooks as a partner's program would, and checks them with the package that the
// authors of Standard Webhooks publish. Prints its port, then one line for each webhook.
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.argv[2]);

const server = createServer(async (request, response) => {
  let body = "";
  request.setEncoding("utf8");
  for await (const part of request) body += part;
  let seen;
  try {
    seen = webhook.verify(body, request.headers);
  } catch (error) {
    seen = { refused: error.message };
  }
  response.writeHead(seen.refused ? 401 : 204).end();
  console.log(JSON.stringify(seen));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
