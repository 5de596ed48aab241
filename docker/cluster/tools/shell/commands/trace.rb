# Comes before the command of this name in the shell's jar, which needs a class that HBase 2.6
# does not have any more: without this file the shell would not start.
module Shell
  module Commands
    class Trace < Command
      def help
        'Not available: HBase left HTrace behind with 2.5.'
      end

      def command(*)
        raise(ArgumentError, help)
      end
    end
  end
end
