// Tokens for requests: a key pair, its JWKS file, and JWTs signed with it.
import { writeFileSync } from "node:fs";

import { SignJWT, exportJWK, generateKeyPair } from "jose";

/**
 * A made-up issuer: jwks() gives its public keys, write(file) writes them for the gateway, and
 * token(claims) a JWT. @alg is ES256, ES384, RS256, PS256, EdDSA, ….
 */
export async function issuer({
  alg = "ES256",
  iss = "https://issuer.example",
  kid = "k1",
} = {}) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
  const jwks = () => ({ keys: [jwk] });
  return {
    iss,
    jwks,
    privateKey,
    write: (file) => writeFileSync(file, JSON.stringify(jwks())),
    /** @aud is who it is for; claims sub, scope and others as given; @seconds to its end. */
    token({ aud, seconds = 300, from = 0, header = {}, ...claims }) {
      const now = Math.floor(Date.now() / 1000);
      const jwt = new SignJWT(claims)
        .setProtectedHeader({ alg, kid, typ: "at+jwt", ...header })
        .setIssuer(claims.iss ?? iss)
        .setIssuedAt(now + from)
        .setNotBefore(now + from)
        .setExpirationTime(now + from + seconds);
      return (aud ? jwt.setAudience(aud) : jwt).sign(privateKey);
    },
  };
}
