// What is sent: made here, the same each time.

/** An ORU of @observations OBX: 2 KB for 13. Its MSH-10 and patient stand to be filled in. */
export function oru(observations = 13) {
  const tests = [
    ["718-7", "Hemoglobin", "13.8", "g/dL", "12.0-15.5"],
    ["4544-3", "Hematocrit", "41.2", "%", "36.0-46.0"],
    ["6690-2", "Leukocytes", "7.31", "10*3/uL", "4.00-10.00"],
    ["777-3", "Platelets", "254", "10*3/uL", "150-400"],
    ["787-2", "MCV", "88.4", "fL", "80.0-100.0"],
    ["785-6", "MCH", "29.60", "pg", "27.0-33.0"],
    ["786-4", "MCHC", "33.5", "g/dL", "32.0-36.0"],
  ];
  const lines = [
    "MSH|^~\\&|LAB|HOSP|GW|GW|20260301120000+0100||ORU^R01^ORU_R01|@ID@|P|2.5.1||||||UNICODE UTF-8",
    "PID|1||@PT@^^^LAB^MR||Doe^Jane^Q||19700101|F|||12 Main Street^^Springfield^IL^62701^USA||^PRN^PH^^^217^5550100",
    "PV1|1|I|W3^312^A^HOSP||||1234^Adams^Anna^^^Dr|||MED||||||||I|V@PT@^^^LAB^VN",
    "ORC|RE|P@PT@^EHR|F@PT@^LAB|||||||||1234^Adams^Anna^^^Dr",
    "OBR|1|P@PT@^EHR|F@PT@^LAB|58410-2^CBC panel^LN|||20260301110000+0100|||||||||1234^Adams^Anna^^^Dr||||||20260301115500+0100||LAB|F",
  ];
  for (let i = 0; i < observations; i++) {
    const [code, name, value, unit, range] = tests[i % tests.length];
    lines.push(
      `OBX|${i + 1}|NM|${code}^${name}^LN|${i}|${value}|${unit}^^UCUM|${range}|N|||F|||20260301110000+0100|LAB01^Main laboratory|5678^Baker^Ben`,
    );
  }
  return lines.join("\r") + "\r";
}

/** An Observation, the @i-th of its kind. */
export function observation(i) {
  return {
    resourceType: "Observation",
    id: `obs-${i}`,
    meta: { versionId: "1", lastUpdated: "2026-03-01T12:00:00.000Z" },
    status: "final",
    category: [
      {
        coding: [
          {
            system: "http://terminology.hl7.org/CodeSystem/observation-category",
            code: "laboratory",
            display: "Laboratory",
          },
        ],
      },
    ],
    code: {
      coding: [{ system: "http://loinc.org", code: "718-7", display: "Hemoglobin" }],
      text: "Hemoglobin",
    },
    subject: { reference: `Patient/p${i % 7}` },
    encounter: { reference: `Encounter/e${i % 5}` },
    effectiveDateTime: "2026-03-01T11:00:00+01:00",
    issued: "2026-03-01T11:55:00.000+01:00",
    valueQuantity: {
      value: 13.5 + (i % 40) / 8,
      unit: "g/dL",
      system: "http://unitsofmeasure.org",
      code: "g/dL",
    },
    referenceRange: [{ low: { value: 12.0, unit: "g/dL" }, high: { value: 15.5, unit: "g/dL" } }],
  };
}

/** A searchset of at least @bytes. */
export function searchset(bytes, indent = 0) {
  const bundle = { resourceType: "Bundle", type: "searchset", total: 0, entry: [] };
  const each = JSON.stringify(observation(0), null, indent).length * (indent ? 1.3 : 1) + 80;
  for (let i = 0; i * each < bytes; i++) {
    bundle.entry.push({
      fullUrl: `http://ehr.example/fhir/Observation/obs-${i}`,
      resource: observation(i),
      search: { mode: "match" },
    });
  }
  bundle.total = bundle.entry.length;
  return JSON.stringify(bundle, null, indent);
}

/** A Patient resource of about @bytes. */
export function patient(id, bytes = 2048) {
  const resource = {
    resourceType: "Patient",
    id,
    identifier: [{ system: "urn:oid:1.2.3.4", value: id }],
    name: [{ family: "Doe", given: ["Jane"] }],
    gender: "female",
    birthDate: "1970-01-01",
    text: { status: "generated", div: "" },
  };
  const rest = bytes - JSON.stringify(resource).length - 50;
  resource.text.div = `<div xmlns="http://www.w3.org/1999/xhtml">${"x".repeat(Math.max(rest, 0))}</div>`;
  return JSON.stringify(resource);
}

/** One Binary with @bytes of base64 in a searchset. */
export function longString(bytes) {
  const resource = {
    resourceType: "Binary",
    id: "b1",
    contentType: "application/pdf",
    data: "QUJD".repeat(bytes / 4),
  };
  return JSON.stringify({ resourceType: "Bundle", type: "searchset", entry: [{ resource }] });
}

/** A map file of a site with @rows rows: half of them of its own segments, half codes of tables. */
export function siteMap(rows) {
  const lines = [];
  const each = 100; // rows of a section
  for (let i = 0; i < rows / 2 / each; i++) {
    lines.push(`segment Z${String(i).padStart(2, "0")} Observation`);
    for (let row = 1; row <= each; row++) {
      const field = `Z${String(i).padStart(2, "0")}-${row}`;
      lines.push(`    ${field}.1 if ${field}.2 = "A${row}" or ${field}.3 -> note[].text : string`);
    }
    lines.push(`table Site${i} urn:oid:1.2.3.${i}`);
    for (let row = 1; row <= each; row++) {
      lines.push(`    L${row} -> C${row} "Code ${row} of table ${i}"`);
    }
  }
  return lines.join("\n") + "\n";
}
