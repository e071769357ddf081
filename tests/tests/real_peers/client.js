// A client on Node's https that asks for one page and prints what it gets.
const fs = require("fs");
const https = require("https");
const [port, path, authority, chain, key, version] = process.argv.slice(2);
const options = { host: "localhost", port, path, family: 4, minVersion: version, maxVersion: version, agent: false };
options.ca = fs.readFileSync(authority);
if (chain) {
  options.cert = fs.readFileSync(chain);
  options.key = fs.readFileSync(key);
}
https
  .get(options, (response) => {
    console.log(`HTTP/1.1 ${response.statusCode}`);
    console.log(`X-Verify: ${response.headers["x-verify"]}`);
    response.resume();
  })
  .on("error", (error) => console.log(String(error)));
