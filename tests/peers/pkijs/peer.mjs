// PKI.js as a peer: one request a line on standard input (verb and name=value, parted by tabs), one answer a line: "ok" or "error" and the reason. Keys are PKCS#8,
// certificates PEM, messages DER or BER in files.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { webcrypto } from "node:crypto";
import * as asn1js from "asn1js";
import * as pkijs from "pkijs";

pkijs.setEngine("node", new pkijs.CryptoEngine({ name: "node", crypto: webcrypto, subtle: webcrypto.subtle }));
const crypto = pkijs.getCrypto(true);

const OID = { data: "1.2.840.113549.1.7.1", contentType: "1.2.840.113549.1.9.3", messageDigest: "1.2.840.113549.1.9.4", signingTime: "1.2.840.113549.1.9.5" };
const octets = (path) => new Uint8Array(readFileSync(path));
const copy = (b) => b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength);
const pem = (path) => copy(new Uint8Array(Buffer.from(readFileSync(path, "latin1").replace(/-----[^-]+-----|\s/g, ""), "base64")));

function parse(der) {
  const asn1 = asn1js.fromBER(der);
  if (asn1.offset === -1) throw new Error("not BER: " + asn1.result.error);
  return asn1.result;
}
const certificate = (path) => new pkijs.Certificate({ schema: parse(pem(path)) });
const contentInfo = (path) => new pkijs.ContentInfo({ schema: parse(copy(octets(path))) });
const save = (path, buffer) => writeFileSync(path, new Uint8Array(buffer));

function algorithm(o) {
  if (o.scheme === "ecdsa") return { name: "ECDSA", namedCurve: o.curve };
  return { name: o.scheme === "pss" ? "RSA-PSS" : "RSASSA-PKCS1-v1_5", hash: o.hash };
}

async function sign(o) {
  const cert = certificate(o.cert), content = copy(octets(o.in));
  const key = await crypto.importKey("pkcs8", pem(o.key), algorithm(o), false, ["sign"]);
  const digest = await crypto.digest(o.hash, content);
  const attribute = (type, value) => new pkijs.Attribute({ type, values: [value] });
  const signer = new pkijs.SignerInfo({
    version: 1,
    sid: new pkijs.IssuerAndSerialNumber({ issuer: cert.issuer, serialNumber: cert.serialNumber }),
    signedAttrs: new pkijs.SignedAndUnsignedAttributes({
      type: 0,
      attributes: [
        attribute(OID.contentType, new asn1js.ObjectIdentifier({ value: OID.data })),
        attribute(OID.signingTime, new asn1js.UTCTime({ valueDate: new Date() })),
        attribute(OID.messageDigest, new asn1js.OctetString({ valueHex: digest })),
      ],
    }),
  });
  const encap = new pkijs.EncapsulatedContentInfo({ eContentType: OID.data });
  if (o.detached !== "yes") encap.eContent = new asn1js.OctetString({ valueHex: content });
  const signed = new pkijs.SignedData({ version: 1, encapContentInfo: encap, signerInfos: [signer], certificates: [cert] });
  await signed.sign(key, 0, o.hash, content);
  save(o.out, new pkijs.ContentInfo({ contentType: pkijs.ContentInfo.SIGNED_DATA, content: signed.toSchema(true) }).toSchema().toBER(false));
}

async function verify(o) {
  const signed = new pkijs.SignedData({ schema: contentInfo(o.in).content });
  const ask = { signer: 0, trustedCerts: [certificate(o.ca)], checkChain: true, extendedMode: true };
  if (o.content) ask.data = copy(octets(o.content));
  const result = await signed.verify(ask);
  if (!result.signatureVerified || !result.signerCertificateVerified) throw new Error("not verified: " + result.message);
  if (!o.content) save(o.out, signed.encapContentInfo.eContent.getValue());
}

async function encrypt(o) {
  const [, bits, mode] = o.cipher.split("-");
  const enveloped = new pkijs.EnvelopedData({ version: 1 });
  enveloped.addRecipientByCertificate(certificate(o.cert), { oaepHashAlgorithm: o.hash, kdfAlgorithm: o.hash, kekEncryptionLength: Number(bits) }, undefined, crypto);
  await enveloped.encrypt({ name: "AES-" + mode.toUpperCase(), length: Number(bits) }, copy(octets(o.in)));
  save(o.out, new pkijs.ContentInfo({ contentType: pkijs.ContentInfo.ENVELOPED_DATA, content: enveloped.toSchema() }).toSchema().toBER(false));
}

async function decrypt(o) {
  const info = contentInfo(o.in);
  if (info.contentType !== pkijs.ContentInfo.ENVELOPED_DATA) throw new Error("PKI.js has no class for content type " + info.contentType);
  const enveloped = new pkijs.EnvelopedData({ schema: info.content });
  save(o.out, await enveloped.decrypt(0, { recipientCertificate: certificate(o.cert), recipientPrivateKey: pem(o.key) }));
}

const verbs = { sign, verify, encrypt, decrypt };
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, ...words] = line.split("\t");
  const o = Object.fromEntries(words.map((w) => [w.slice(0, w.indexOf("=")), w.slice(w.indexOf("=") + 1)]));
  try {
    await verbs[verb](o);
    console.log("ok");
  } catch (e) {
    const reason = e instanceof Error ? `${e.name}: ${e.message}` : String(e && e.message ? e.message : e);
    console.log("error " + reason.replace(/\s+/g, " ").slice(0, 300));
  }
}
