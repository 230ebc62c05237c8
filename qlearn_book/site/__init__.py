"""What only the build of the site needs: assets, references, policy, weights, publishing."""
