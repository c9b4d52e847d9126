"""Firefox as the tests want it: a fresh profile that talks to nobody but this machine, and does not wait for animations."""

import json

# Chosen by Firefox at random for each profile otherwise.
UUID = "4b8e0d1a-7a6d-4c62-9a53-7461676169e5"
EXTENSION = "{7a1f0c52-6b0e-4d1a-9a53-7461676169e5}"
ORIGIN = f"moz-extension://{UUID}/"

PREFS = {
    # Every name is this machine: no test host needs /etc/hosts, and nothing that slips through leaves the machine.
    "network.dns.native-is-localhost": True,
    "network.dns.disableIPv6": True,
    "network.proxy.type": 0,
    "network.trr.mode": 5,
    # Icons that no page names are asked for late, and would be among what others wait for.
    "browser.chrome.guess_favicon": False,
    # What a kernel without user namespaces is answered with: a bar that comes late, moves everything, and closes popups.
    "security.sandbox.warn_unprivileged_namespaces": False,
    # Services of the browser's maker.
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.discovery.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.region.network.url": "",
    "browser.region.update.enabled": False,
    "browser.safebrowsing.blockedURIs.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.provider.mozilla.updateURL": "",
    "browser.search.update": False,
    "browser.topsites.contile.enabled": False,
    "browser.urlbar.quicksuggest.enabled": False,
    "browser.urlbar.suggest.searches": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.usage.uploadEnabled": False,
    "dom.push.connection.enabled": False,
    "extensions.blocklist.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "geo.provider.network.url": "",
    "identity.fxaccounts.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.http.speculative-parallel-limit": 0,
    "network.prefetch-next": False,
    "security.OCSP.enabled": 0,
    "security.certerrors.mitm.priming.enabled": False,
    "security.remote_settings.crlite_filters.enabled": False,
    "security.remote_settings.intermediates.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.server": "",
    "toolkit.telemetry.unified": False,
    # First runs, questions, prompts.
    "browser.aboutConfig.showWarning": False,
    "browser.aboutwelcome.enabled": False,
    "browser.messaging-system.whatsNewPanel.enabled": False,
    "browser.newtabpage.activity-stream.asrouter.userprefs.cfr.addons": False,
    "browser.newtabpage.activity-stream.asrouter.userprefs.cfr.features": False,
    "browser.preonboarding.enabled": False,
    "browser.sessionstore.resume_from_crash": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "browser.tabs.warnOnClose": False,
    "browser.tabs.warnOnCloseOtherTabs": False,
    "browser.translations.enable": False,
    "browser.warnOnQuit": False,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
    "signon.rememberSignons": False,
    "startup.homepage_welcome_url": "about:blank",
    "termsofuse.bypassNotification": True,
    # Plain http is a part of what is tested.
    "dom.security.https_first": False,
    "dom.security.https_first_schemeless": False,
    "dom.security.https_only_mode": False,
    # For whoever drives it.
    "browser.download.alwaysOpenPanel": False,
    "browser.tabs.remote.unloadDelayMs": 0,
    "browser.tabs.unloadOnLowMemory": False,
    "dom.disable_open_during_load": False,
    "dom.input_events.security.minNumTicks": 0,
    "dom.input_events.security.minTimeElapsedInMS": 0,
    "dom.ipc.processPriorityManager.enabled": False,
    "dom.max_chrome_script_run_time": 0,
    "dom.max_script_run_time": 0,
    "extensions.autoDisableScopes": 0,
    "extensions.webextensions.uuids": json.dumps({EXTENSION: UUID}),
    "privacy.userContext.enabled": True,
    "privacy.userContext.ui.enabled": True,
    "remote.prefs.recommended": False,
    "security.dialog_enable_delay": 0,
    "security.notification_enable_delay": 0,
    "toolkit.cosmeticAnimations.enabled": False,
    "ui.prefersReducedMotion": 1,
    "ui.popup.disable_autohide": False,
}


def write(directory, port, more):
    """A profile in an empty directory; Marionette will listen on `port`."""
    prefs = PREFS | {"marionette.port": port} | more
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in prefs.items()]
    (directory / "user.js").write_text("".join(lines))
