# A formula for Homebrew. Untried: there is no release yet that it could install.
#
# At a release, put the address and the SHA-256 of the sdist in place of the two words in capitals, then let
# `brew update-python-resources cometresp` write a resource for each dependency where the comment is.
class Cometresp < Formula
  include Language::Python::Virtualenv

  desc "Command-line client for the Responses API"
  url "ADDRESS-OF-THE-SDIST"
  sha256 "SHA256-OF-THE-SDIST"
  license "MIT"

  depends_on "rust" => :build # for rpds-py, which jsonschema needs
  depends_on "python@3.13"

  # resources

  def install
    virtualenv_install_with_resources
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/cometresp.bash" => "cometresp"
    zsh_completion.install "completions/_cometresp"
    fish_completion.install "completions/cometresp.fish"
  end

  test do
    assert_match "Say hello", shell_output("#{bin}/cometresp ask --offline 'Say hello'")
  end
end
