#pragma once

// What a run is given at its start besides its input: `context`, from which tools bind arguments, and
// `notify`, who is told how it goes. Pure but for the definition that check_settings reads; any thread.

#include <string>
#include <string_view>

#include "definition/definition.h"
#include "grant/grants.h"
#include "holdfast/status.h"
#include "platform/store.h"

namespace holdfast::agent {

struct RunSettings {
  Json context;             // an object; null: none
  Json notify;              // a list; null: none
  std::string environment;  // the label that it was started by; empty: none
  std::string started_by;   // who started the run, where an agent of it wants to know; empty: nobody said
};

// As stored: canonical; empty when there is nothing to say.
std::string settings_text(const RunSettings& settings);
Result<RunSettings> read_settings(std::string_view text);

// Whether a run of this definition can be started with them: FAILED_PRECONDITION names what tools bind and
// the context lacks, INVALID_ARGUMENT what is wrong, PERMISSION_DENIED what is not granted
// (net::missing_grants). `text`: settings_text, or empty.
Status check_settings(const platform::Definition& definition, std::string_view text,
                      const grant::Grants& grants);

// The list in a file of YAML or JSON: what `notify:` in agent.yaml holds. What its entries say is looked at
// when a run is started with it. INVALID_ARGUMENT.
Result<Json> notify_list(std::string_view text, std::string_view source);

}  // namespace holdfast::agent
