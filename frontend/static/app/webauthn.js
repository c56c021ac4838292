// Security keys: a form with data-webauthn ("create" or "get") and the server's options asks the browser for a credential,
// puts it into its hidden field and sends itself.
(() => {
  const form = document.querySelector("form[data-webauthn]");
  const said = form?.querySelector("[data-key-said]");
  if (!form || !window.PublicKeyCredential || !navigator.credentials) return;
  const button = form.querySelector("[data-asks-key]");
  const WORDS = {
    NotAllowedError: "Nothing came from the key. Have it at hand, then try again.",
    InvalidStateError: "This key is in the list already.",
    SecurityError: "This address cannot be used with security keys.",
  };

  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const withBytes = (descriptors) => (descriptors || []).map((one) => ({ ...one, id: toBytes(one.id) }));

  const readOptions = () => {
    const given = JSON.parse(form.dataset.options);
    const options = given.publicKey || given;
    options.challenge = toBytes(options.challenge);
    if (options.user) options.user = { ...options.user, id: toBytes(options.user.id) };
    if (options.excludeCredentials) options.excludeCredentials = withBytes(options.excludeCredentials);
    if (options.allowCredentials) options.allowCredentials = withBytes(options.allowCredentials);
    return options;
  };

  const asJson = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = toText(credential.response[name]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return {
      id: credential.id,
      rawId: toText(credential.rawId),
      type: credential.type,
      response,
      authenticatorAttachment: credential.authenticatorAttachment,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  };

  const ask = async () => {
    said.textContent = "Touch your key, or follow what the browser asks.";
    button.disabled = true;
    try {
      const credential = await navigator.credentials[form.dataset.webauthn]({ publicKey: readOptions() });
      form.elements.credential.value = JSON.stringify(asJson(credential));
      if (form.elements.code) form.elements.code.value = "";
      form.submit();
    } catch (error) {
      said.textContent = WORDS[error.name] || "That did not work with this key.";
      button.disabled = false;
    }
  };

  said.textContent = "";
  button.hidden = false;
  button.addEventListener("click", (event) => {
    event.preventDefault();
    if (!form.elements.name || form.elements.name.reportValidity()) ask();
  });
})();
