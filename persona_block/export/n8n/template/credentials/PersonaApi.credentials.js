'use strict';

const { authorize } = require('./authorize.js');
const { credentials } = require('./description.js');

/** @typedef {import('n8n-workflow').ICredentialType} ICredentialType */

/**
 * The API key of a Persona environment, and where Persona is.
 * @implements {ICredentialType}
 */
class PersonaApi {
  name = credentials.name;
  displayName = credentials.displayName;
  icon = credentials.icon;
  documentationUrl = credentials.documentationUrl;
  properties = credentials.properties;
  test = credentials.test;
  authenticate = authorize;
}

module.exports = { PersonaApi };
