#pragma once

// What the MCP server says: who it is, its tools, results of calls, questions to people. Pure, but for the
// list of tools, which reads the store.

#include <optional>
#include <string>
#include <string_view>

#include "interop/host.h"
#include "interop/mcp_request.h"
#include "interop/run_events.h"

namespace holdfast::interop {

// The tool that waits for a run that a call has left behind. No agent can have its name.
inline constexpr std::string_view kRunTool = "holdfast_run";
// A person sees all of what he is asked about: arguments that are longer are shown by the console.
inline constexpr std::size_t kMaxShownArguments = 8 * 1024;

Json initialize_result(const McpPeer& peer, const std::string& build);
Json discover_result(const std::string& build);
std::expected<Json, RpcError> list_tools(const Host& host, const McpPeer& peer, const Json& params);

// A result in the form of the peer's revision: those without sessions say of what type it is.
Json complete(const McpPeer& peer, const std::string& build, Json result);
// What a call gives when its run is over.
Json call_result(const std::string& run, const RunEvent& end);
// The call did nothing: its arguments are wrong, or the agent cannot be started.
Json call_refused(std::string why);
// The run waits for people whom this client cannot ask.
Json waiting_result(const std::string& run, const std::vector<platform::Approval>& approvals,
                    const std::string& page);

// How a client may ask a person about an approval: with a form, by a link, or not at all.
enum class Asking : std::uint8_t { kForm, kLink, kNone };
Asking asking_of(const McpPeer& peer, bool may_answer, const platform::Approval& approval);
// Of `elicitation/create`.
Json elicitation_params(const McpPeer& peer, Asking how, const platform::Approval& approval,
                        const std::string& page);
// What a person said about it; none: nothing that decides, or no answer of the question's form.
std::optional<runs::DecisionRequest> decision_in(const Json& answer, const platform::Approval& approval);

// One line about what a run does; empty: nothing to tell.
std::string progress_text(const RunEvent& event);

}  // namespace holdfast::interop
