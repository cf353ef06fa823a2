// The contestant on Node's fetch: the same request, and a mapping of the same properties, written by hand.
// It takes and answers the lines that contestant.py does.
import { createInterface } from "node:readline";

const [baseUrl] = process.argv.slice(2);
const PATHS = { one: "/inquiries/inq_0001", page: "/inquiries?page%5Bsize%5D=100" };
const headers = { Authorization: "Bearer persona_sandbox_key", Accept: "application/json", "Persona-Version": "2023-01-05" };

const plain = (value) => {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  const names = Object.keys(value);
  if (names.length === 2 && typeof value.type === "string" && "value" in value) return plain(value.value);
  return Object.fromEntries(names.map((name) => [name, plain(value[name])]));
};
const ids = (relation) => (relation?.data ?? []).map((entry) => entry.id);
const id = (relation) => relation?.data?.id ?? null;

const inquiry = ({ id: own, attributes: a = {}, relationships: r = {} }) => ({
  id: own,
  status: a.status ?? null,
  referenceId: a["reference-id"] ?? null,
  note: a.note ?? null,
  tags: a.tags ?? [],
  fields: Object.fromEntries(Object.entries(a.fields ?? {}).map(([name, value]) => [name, plain(value)])),
  creator: a.creator ?? null,
  reviewerComment: a["reviewer-comment"] ?? null,
  behaviors: a.behaviors ?? null,
  previousStepName: a["previous-step-name"] ?? null,
  nextStepName: a["next-step-name"] ?? null,
  createdAt: a["created-at"] ?? null,
  updatedAt: a["updated-at"] ?? null,
  startedAt: a["started-at"] ?? null,
  expiresAt: a["expires-at"] ?? null,
  completedAt: a["completed-at"] ?? null,
  failedAt: a["failed-at"] ?? null,
  markedForReviewAt: a["marked-for-review-at"] ?? null,
  decisionedAt: a["decisioned-at"] ?? null,
  expiredAt: a["expired-at"] ?? null,
  redactedAt: a["redacted-at"] ?? null,
  accountId: id(r.account),
  inquiryTemplateId: id(r["inquiry-template"]) ?? id(r.template),
  inquiryTemplateVersionId: id(r["inquiry-template-version"]),
  reportIds: ids(r.reports),
  verificationIds: ids(r.verifications),
  documentIds: ids(r.documents),
  selfieIds: ids(r.selfies),
  sessionIds: ids(r.sessions),
  transactionId: id(r.transaction),
  reviewerId: id(r.reviewer),
});

const call = async (what) => {
  const response = await fetch(baseUrl + PATHS[what], { headers });
  if (!response.ok) throw new Error(String(response.status));
  const { data } = await response.json();
  return Array.isArray(data) ? data.map(inquiry) : inquiry(data);
};

const oneAfterAnother = async (what, times) => {
  for (let time = 0; time < times; time += 1) await call(what);
};

for await (const line of createInterface({ input: process.stdin })) {
  const [what, count, atOnce] = line.split(" ").map((word, place) => (place ? Number(word) : word));
  const each = Math.floor(count / atOnce);
  const [began, begunAt] = [process.cpuUsage(), performance.now()];
  await Promise.all(Array.from({ length: atOnce }, () => oneAfterAnother(what, each)));
  const { user, system } = process.cpuUsage(began);
  const passed = (performance.now() - begunAt) / 1e3;
  console.log(`${(user + system) / 1e6 / (each * atOnce)} ${passed / (each * atOnce)}`);
}
process.exit(0);
