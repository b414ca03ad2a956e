// The yardsticks that are proxies of others: nginx (Y1), haproxy (Y2).
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { accepts } from "../../end_to_end/lib/process.mjs";
import { startOn } from "./measure.mjs";

/** Command of an nginx in a folder of its own below @where, with one @server block. */
export function nginx(where, name, server) {
  const home = path.join(where, name);
  mkdirSync(path.join(home, "logs"), { recursive: true });
  const file = path.join(home, "nginx.conf");
  const certificate = `ssl_protocols TLSv1.3; ssl_certificate ${where}/cert.pem;
  ssl_certificate_key ${where}/key.pem;`;
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${home}/pid; error_log ${home}/error;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nodelay on; keepalive_requests 100000000;
  client_body_temp_path ${home}/a; proxy_temp_path ${home}/b; fastcgi_temp_path ${home}/c;
  uwsgi_temp_path ${home}/d; scgi_temp_path ${home}/e;
  ${server.includes(" ssl") ? certificate : ""}
  ${server}
}
`,
  );
  return ["nginx", ["-p", home, "-c", file]];
}

export function nginxProxy(where, port, upstream, tls) {
  return nginx(
    where,
    `proxy-${port}`,
    `upstream up { server 127.0.0.1:${upstream}; keepalive 128; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port}${tls ? " ssl" : ""};
    location / {
      proxy_pass http${tls ? "s" : ""}://up; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_ssl_protocols TLSv1.3;
      proxy_buffer_size 64k; proxy_buffers 16 64k; proxy_busy_buffers_size 256k;
      proxy_max_temp_file_size 0;
    }
  }`,
  );
}

export function haproxy(where, port, upstream) {
  const file = path.join(where, `haproxy-${port}.cfg`);
  writeFileSync(
    file,
    `global
  nbthread 1
  tune.bufsize 65536
  maxconn 4096
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  server s 127.0.0.1:${upstream}
`,
  );
  return ["haproxy", ["-db", "-f", file]];
}

/** Start a server on a core; @port answers when it is there. */
export async function startServer(core, command, args, port) {
  return { ...(await startOn(core, command, args, { ready: () => accepts(port) })), port };
}
