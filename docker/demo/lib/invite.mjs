// What there is to try by hand once the story is told.
import { cyan, say, title } from "./show.mjs";
import { leaveToken } from "./tour.mjs";
import { where } from "./world.mjs";

/** What there is to try by hand. */
export function invite(world, people, staff) {
  const token = leaveToken(staff);
  const curl = (what) =>
    `curl -s -H "Authorization: Bearer $(cat ${token})" '${world.base}/${what}'`;
  const rows = {
    "FHIR, as Dr. Sommer": curl(`Observation?patient=Patient/${people.jonas.id}`),
    "the same, of Erika": curl(`Observation?patient=Patient/${people.erika.id}`),
    "HL7 v2, by MLLP": `docker/node docker/demo/parts/v2_sender.mjs --to 127.0.0.1:${world.at.mllp} --client medplum docker/demo/messages/jonas_oru_r01.hl7`,
    "the administrator": `build/chartseal audit list --config ${world.file} --limit 20`,
    "a record, opened": `build/chartseal audit show ${world.record} --config ${world.file}`,
    "the database": `psql ${world.postgres.url}`,
    "the FHIR server behind": `curl -s ${world.ehr.base}/Observation`,
    "health, metrics": `${world.admin}/health/ready ${world.admin}/metrics`,
    "the chain": world.chain.url,
    "files and logs": `${where()} ${where("run")}/*.log`,
  };
  title("To try by hand:");
  for (const [what, how] of Object.entries(rows)) {
    say(`   ${what}`);
    say(cyan(`      ${how}`));
  }
  say();
  title("It stays up until Ctrl-C.");
}
