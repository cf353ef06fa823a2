/** n8n around the exported node: its loader of packages and its runner of workflows, and what its server adds to them. */

import { createRequire } from 'node:module';
import { createServer } from 'node:http';

// n8n writes a key for credentials into its folder, which must not be the one of whoever runs the tests.
if (!process.env.N8N_USER_FOLDER) throw new Error('N8N_USER_FOLDER is not set.');
const require = createRequire(import.meta.url);
require('reflect-metadata');
const { BinaryDataService, ExecuteContext, ExecutionLifecycleHooks, PackageDirectoryLoader, RoutingNode, WorkflowExecute } = require('n8n-core');
const { Container } = require('@n8n/di');
const { createRunExecutionData, NodeConnectionTypes, Workflow } = require('n8n-workflow');

await Container.get(BinaryDataService).init();
const loader = new PackageDirectoryLoader(process.env.PERSONA_PACKAGE);
await loader.loadAll();

export const packageJson = loader.packageJson;
export const node = loader.getNode('persona').type;
export const credential = loader.getCredential('personaApi').type;
export const TYPE = `${packageJson.name}.persona`;

/** The resource that each operation is listed under. */
const RESOURCES = Object.fromEntries(
  node.description.properties
    .filter(({ name }) => name === 'operation')
    .flatMap(({ options, displayOptions }) => options.map(({ value }) => [value, displayOptions.show.resource[0]])),
);

export const OPERATIONS = Object.keys(RESOURCES);

/** Return the parameters of a node that does an operation. */
export const parametersOf = (operation, fields = {}) => ({ resource: RESOURCES[operation], operation, ...fields });

/** The offline Persona that the tests were given. */
export const SANDBOX = { baseUrl: process.env.PERSONA_BASE_URL, apiKey: process.env.PERSONA_API_KEY };

/** Send an HTTP request to the offline Persona's controls. */
export async function steer(path, body) {
  const request = { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
  const answer = await fetch(new URL(path, SANDBOX.baseUrl), request);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/** A node type of the tests. */
function testNode(name, execute, inputs) {
  const names = { name, displayName: name, defaults: { name }, description: name };
  return { description: { ...names, version: 1, group: [], properties: [], inputs, outputs: ['main'] }, execute };
}

/** The node as a tool, as n8n's server makes one of every node with usableAsTool. */
const personaTool = Object.assign(Object.create(node), {
  description: { ...node.description, name: 'personaTool', inputs: [], outputs: [NodeConnectionTypes.AiTool] },
});

/** An agent that calls its tools as it was told: the answers are its output. */
const agent = testNode(
  'agent',
  async function () {
    const tools = await this.getInputConnectionData(NodeConnectionTypes.AiTool, 0);
    const results = [];
    for (const { args } of this.getInputData().map(({ json }) => json)) {
      const [tool] = [tools].flat(2);
      const shown = { name: tool.name, description: tool.description, params: Object.keys(tool.schema.shape) };
      results.push({ json: { tool: shown, answer: await tool.invoke(args).catch((error) => `failed: ${error.message}`) } });
    }
    return [results];
  },
  ['main', NodeConnectionTypes.AiTool],
);

function additionalData(credentials, executionId, workflowData) {
  return {
    executionId,
    currentNodeExecutionIndex: 0,
    variables: {},
    webhookWaitingBaseUrl: 'http://localhost/webhook-waiting',
    formWaitingBaseUrl: 'http://localhost/form-waiting',
    hooks: new ExecutionLifecycleHooks('trigger', executionId, workflowData),
    credentialsHelper: {
      getParentTypes: () => [],
      isCredentialUsableByNode: () => true,
      getDecrypted: async () => ({ ...credentials }),
      preAuthentication: async () => undefined,
      authenticate: async (data, _, request) => credential.authenticate(data, request),
    },
  };
}

let executions = 0;

/** Return an id that no execution has had, in this process or in another one. */
function nextExecution() {
  executions += 1;
  return `${process.pid}${String(executions).padStart(6, '0')}`;
}

async function runWorkflow(nodes, connections, types, { credentials = SANDBOX, executionId = nextExecution(), cancelAfter } = {}) {
  const workflowData = { id: 'w', name: 'w', nodes, connections, active: false };
  const nodeTypes = { getByNameAndVersion: (name) => types[name], getByName: (name) => types[name], getKnownTypes: () => ({}) };
  const workflow = new Workflow({ ...workflowData, nodeTypes, settings: { executionOrder: 'v1' } });
  await workflow.expression.acquireIsolate?.();
  const execution = new WorkflowExecute(additionalData(credentials, executionId, workflowData), 'trigger');
  const running = execution.run({ workflow, startNode: workflow.getNode('Start') });
  if (cancelAfter !== undefined) setTimeout(() => running.cancel(), cancelAfter);
  return (await running).data.resultData;
}

const place = (id, name, type, parameters = {}, more = {}) => ({ id, name, type, typeVersion: 1, position: [0, 0], parameters, ...more });
const link = (name, type = 'main') => ({ [type]: [[{ node: name, type, index: 0 }]] });

/**
 * Run an operation in a workflow of its own and return the items of the node, or its error.
 * @param {string} operation
 * @param {object} [fields] the other parameters of the node
 * @param {{items?: object[], runs?: number, settings?: object, credentials?: object, executionId?: string,
 *   cancelAfter?: number}} [options] `runs` is how often the node runs in the execution, and `settings` are those of the node,
 *   such as onError
 */
export async function runNode(operation, fields = {}, { items = [{ json: {} }], runs = 1, settings = {}, ...options } = {}) {
  const more = { credentials: { personaApi: { id: '1', name: 'Persona' } }, ...settings };
  const paths = Array.from({ length: runs }, (_, number) => `Path ${number}`);
  const nodes = [
    place('a', 'Start', 'test.start'),
    ...paths.map((name) => place(name, name, 'test.path')),
    place('b', 'Persona', TYPE, parametersOf(operation, fields), more),
  ];
  const connections = { Start: { main: [paths.flatMap((name) => link(name).main[0])] } };
  for (const name of paths) connections[name] = link('Persona');
  const types = {
    'test.start': testNode('start', async () => [structuredClone(items)], []),
    'test.path': testNode('path', async function () { return [this.getInputData()]; }, ['main']),
    [TYPE]: node,
  };
  const { runData, error } = await runWorkflow(nodes, connections, types, options);
  const last = runData.Persona?.at(-1);
  return { items: last?.data?.main[0] ?? [], errorItems: last?.data?.main[1] ?? [], error: last?.error ?? error };
}

/** Let an agent that has the node as its tool call it once for each of some arguments, and return what it was told. */
export async function runAsTool(operation, fields, calls, options = {}) {
  const type = `${TYPE}Tool`;
  const nodes = [
    place('a', 'Start', 'test.start'),
    place('b', 'Agent', 'test.agent'),
    place('c', 'Persona', type, parametersOf(operation, fields), { credentials: { personaApi: { id: '1', name: 'Persona' } }, ...options.settings }),
  ];
  const start = testNode('start', async () => [calls.map((args) => ({ json: { args } }))], []);
  const connections = { Start: link('Agent'), Persona: link('Agent', NodeConnectionTypes.AiTool) };
  const { runData, error } = await runWorkflow(nodes, connections, { 'test.start': start, 'test.agent': agent, [type]: personaTool }, options);
  if (error) throw error;
  return runData.Agent[0].data.main[0].map(({ json }) => json);
}

/** Send the request that tests credentials, as n8n's server does, and return its answer; throws NodeApiError. */
export async function testCredentials(data) {
  const { request } = credential.test;
  const properties = [{ displayName: 'Request', name: 'request', type: 'string', default: '', routing: { request } }];
  const description = { ...node.description, credentials: [{ name: credential.name, required: true }], properties };
  const tested = place('a', 'Test', 'test.credentials', {}, { credentials: { [credential.name]: { id: '1', name: 'Persona' } } });
  const nodeTypes = { getByNameAndVersion: () => ({ description }), getByName: () => ({ description }), getKnownTypes: () => ({}) };
  const workflow = new Workflow({ id: 'w', nodes: [tested], connections: {}, active: false, nodeTypes });
  const input = { main: [[{ json: {} }]] };
  const more = additionalData(data, '1', { id: 'w', nodes: [], connections: {} });
  const execution = { node: tested, data: input, source: null };
  const context = new ExecuteContext(workflow, tested, more, 'internal', createRunExecutionData(), 0, [], input, execution, []);
  const [[{ json }]] = await new RoutingNode(context, { description }, { id: '1', name: 'Persona', type: credential.name, data }).runNode();
  return json;
}

/**
 * Serve answers on this machine, and keep the requests that came.
 * @param {(request: object) => {status?: number, body?: unknown, raw?: Buffer, headers?: object}} answer `body` as JSON, or `raw`
 */
export async function recorder(answer) {
  const requests = [];
  const server = createServer(async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { method, url, headers } = incoming;
    requests.push({ method, url, headers, body: Buffer.concat(chunks).toString('utf8') });
    const { status = 200, body = {}, raw = JSON.stringify(body), headers: more = {} } = answer(requests.at(-1));
    outgoing.writeHead(status, { 'Content-Type': 'application/json', ...more }).end(raw);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${server.address().port}/api/v1`;
  return { requests, credentials: { apiKey: 'persona_sandbox_recorded', baseUrl }, close: () => server.close() };
}

/** Serve answers while something is done with the recording. */
export async function recorded(answer, use) {
  const recording = await recorder(answer);
  try {
    return await use(recording);
  } finally {
    recording.close();
  }
}
