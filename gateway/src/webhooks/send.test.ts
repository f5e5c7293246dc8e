import { hostname } from "node:os";
import { expect, test } from "vitest";
import { addressProblem, send, signatureOf } from "./send.ts";

test("the signature is that of the Standard Webhooks example", () => {
  // https://github.com/standard-webhooks/standard-webhooks, the example of its libraries' tests.
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const delivery = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", body: '{"test": 2432232314}' };
  expect(signatureOf(secret, delivery, 1614265330)).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});

test.each([
  "http://127.0.0.1/x",
  "http://[::1]/x",
  "http://localhost:8080/",
  "http://a.localhost/",
  "http://10.1.2.3/",
  "http://169.254.169.254/latest/meta-data",
  "http://0x7f000001/",
  "http://2130706433/",
  "http://[::ffff:127.0.0.1]/",
  "ftp://example.org/",
])("nothing is sent to %s", async (url) => {
  expect(addressProblem(url, false)).not.toBeNull();
  await expect(send({ url, secret: "whsec_AAAA" }, { id: "x", body: "{}" }, false)).rejects.toThrow(/./);
});

test("a public address may be sent to, a private one where the settings say so", () => {
  expect(addressProblem("https://example.org/hook", false)).toBeNull();
  expect(addressProblem("http://127.0.0.1/x", true)).toBeNull();
});

test("a name that leads to a private address is not sent to", async () => {
  // This machine's own name: it leads to one of its addresses, or nowhere.
  const url = `http://${hostname()}:9/x`;
  await expect(send({ url, secret: "whsec_AAAA" }, { id: "x", body: "{}" }, false)).rejects.toThrow(
    /private|ENOTFOUND|EAI_AGAIN/,
  );
});
