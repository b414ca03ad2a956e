/* Resources as text, for tests of the way back. */
#pragma once

#define PATIENT(members) "{\"resourceType\":\"Patient\"," members "}"

#define ENTRY(url, resource) "{\"fullUrl\":\"" url "\",\"resource\":{" resource "}}"
#define BUNDLE(entries) "{\"resourceType\":\"Bundle\",\"entry\":[" entries "]}"
#define JO                                                                                     \
    ENTRY("urn:uuid:p", "\"resourceType\":\"Patient\",\"id\":\"1\",\"gender\":\"male\","       \
                        "\"name\":[{\"family\":\"Doe\"}],"                                     \
                        "\"identifier\":[{\"system\":\"urn:lab\",\"value\":\"7\"}]")
